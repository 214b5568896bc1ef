-- Coefficients of the early attack (claim C5): least squares of the logarithm of the median L2 on dependency, sparsity and
-- number of exits, within architectures. Empty where they do not vary independently. Errors and verdict are in the record.
WITH used AS (
  SELECT architecture, ln(medianNorm) AS y, dependency AS a, sparsity AS b, early::DOUBLE AS c
  FROM early WHERE medianNorm > 0 AND dependency IS NOT NULL
),
centred AS (
  SELECT y - avg(y) OVER own AS y, a - avg(a) OVER own AS a, b - avg(b) OVER own AS b, c - avg(c) OVER own AS c
  FROM used WINDOW own AS (PARTITION BY architecture)
),
-- The normal equations, with columns of length 1.
sizes AS (
  SELECT sqrt(sum(a * a)) AS a, sqrt(sum(b * b)) AS b, sqrt(sum(c * c)) AS c FROM centred
),
sums AS (
  SELECT sum(t.a * t.b) / any_value(s.a * s.b) AS ab, sum(t.a * t.c) / any_value(s.a * s.c) AS ac,
    sum(t.b * t.c) / any_value(s.b * s.c) AS bc, sum(t.a * t.y) / any_value(s.a) AS va,
    sum(t.b * t.y) / any_value(s.b) AS vb, sum(t.c * t.y) / any_value(s.c) AS vc
  FROM centred t, sizes s
),
-- Cramer's rule.
solved AS (
  SELECT 1 + 2 * ab * bc * ac - ab * ab - ac * ac - bc * bc AS determinant,
    va * (1 - bc * bc) - ab * (vb - bc * vc) + ac * (vb * bc - vc) AS forA,
    (vb - bc * vc) - va * (ab - bc * ac) + ac * (ab * vc - vb * ac) AS forB,
    (vc - bc * vb) - ab * (ab * vc - vb * ac) + va * (ab * bc - ac) AS forC
  FROM sums
)
SELECT unnest(['dependency', 'sparsity', 'exits']) AS name,
  unnest([forA / determinant / s.a, forB / determinant / s.b, forC / determinant / s.c]) AS value
FROM solved, sizes s WHERE determinant > 1e-12;
