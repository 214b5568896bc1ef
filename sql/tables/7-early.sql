-- Early attack (claim C5): the median L2 of its successes, by network and set of early exits. `dependency` is the share of
-- successes on one exit of the set alone on which another exit of the set flips, and for a set of one exit any other exit.
-- `sparsity` is the share of legal cuts without an exit of the set. A median beyond the successes is null.
WITH main AS (
  SELECT name FROM attacks WHERE list_contains(string_split(uses, ' '), 'early') ORDER BY place LIMIT 1
),
attacked AS (
  SELECT o.*, n.block, n.role, n.architecture, n.exits - 1 AS last, n.legalCuts
  FROM outcomes o JOIN networks n ON n.name = o.network AND n.role IN ('joint', 'ic-only', 'dense', 'dense-joint', 'dense-joint-g0.1', 'dense-joint-g0.3')
  WHERE o.attack IN (FROM main)
),
sets AS (
  SELECT DISTINCT a.key, a.block, a.role, a.architecture, a.network, a.records, a.last, a.legalCuts, e.exit, e.name, e.costFraction
  FROM attacked a
  JOIN exits e ON e.network = a.network AND (a.exits = '' OR list_contains(string_split(a.exits, ','), e.output))
  WHERE e.exit < a.last
),
described AS (
  SELECT key, block, role, architecture, network, legalCuts, list(exit ORDER BY exit) AS exits,
    list(name ORDER BY exit) AS names, list(costFraction ORDER BY exit) AS costs, count(*) AS early
  FROM sets GROUP BY ALL
),
alone AS (
  SELECT d.block, d.network, d.exits[1] AS exit, s.records, s.key FROM described d JOIN sets s USING (key, block)
  WHERE d.early = 1
),
flips AS (
  SELECT w.block, w.network, w.exit AS made, a.exit AS other, avg((a.answer <> c.answer)::INTEGER) AS flipped
  FROM alone w
  JOIN attacked o ON o.key = w.key AND o.block = w.block AND o.eligible AND o.success
  JOIN answers a ON a.network = w.network AND a.surrogate = w.network AND a.attack = o.attack AND a.exits = o.exits
    AND a.records = o.records AND a.sample = o.sample AND a.exit < o.last
  JOIN answers c ON c.network = w.network AND c.attack = '' AND c.records = w.records AND c.sample = a.sample
    AND c.exit = a.exit
  GROUP BY ALL
),
depends AS (
  SELECT d.key, d.block, avg(f.flipped) AS dependency
  FROM described d
  JOIN flips f ON f.block = d.block AND f.network = d.network AND list_contains(d.exits, f.made) AND f.other <> f.made
    AND (d.early = 1 OR list_contains(d.exits, f.other))
  GROUP BY ALL
),
norms AS (
  SELECT key, block, count(*) FILTER (WHERE eligible) AS samples, count(*) FILTER (WHERE eligible AND success) AS successes,
    quantile_cont(CASE WHEN success THEN l2 ELSE 'infinity'::DOUBLE END, 0.5) FILTER (WHERE eligible) AS median
  FROM attacked GROUP BY key, block
)
SELECT d.block, d.network, d.role, d.architecture, d.names AS exits, d.early, d.costs[-1] AS lastExit, p.dependency,
  1 - d.early / greatest(1, d.legalCuts) AS sparsity,
  list_max(list_transform(range(1, d.early + 2), lambda i: coalesce(d.costs[i], 1) - CASE WHEN i = 1 THEN 0 ELSE d.costs[i - 1] END))
    AS gap,
  n.samples, n.successes, CASE WHEN isfinite(n.median) THEN n.median END AS medianNorm
FROM described d JOIN norms n USING (key, block) LEFT JOIN depends p USING (key, block);
