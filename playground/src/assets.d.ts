/** @file Files that the page fetches: Vite gives their addresses. */
declare module "*?url" {
  const url: string;
  export default url;
}
declare module "*.css";
