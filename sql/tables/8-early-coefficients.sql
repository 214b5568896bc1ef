-- Coefficients of the early attack (claim C5): least squares of the logarithm of the median L2 on dependency, sparsity and
-- number of exits, within architectures. Errors are clustered by block (CR1), and p is two-sided, from t on blocks - 1
-- degrees of freedom. Empty where the columns do not vary independently. The verdict is in the record.
WITH used AS (
  SELECT block, architecture, ln(medianNorm) AS y, dependency AS a, sparsity AS b, early::DOUBLE AS c
  FROM early WHERE medianNorm > 0 AND dependency IS NOT NULL
),
centred AS (
  SELECT block, y - avg(y) OVER own AS y, a - avg(a) OVER own AS a, b - avg(b) OVER own AS b, c - avg(c) OVER own AS c
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
inverse AS (
  SELECT *, 1 + 2 * ab * bc * ac - ab * ab - ac * ac - bc * bc AS determinant,
    (1 - bc * bc) / determinant AS aa, (1 - ac * ac) / determinant AS bb, (1 - ab * ab) / determinant AS cc,
    (ac * bc - ab) / determinant AS iab, (ab * bc - ac) / determinant AS iac, (ab * ac - bc) / determinant AS ibc
  FROM sums
),
solved AS (
  SELECT (aa * va + iab * vb + iac * vc) / s.a AS a, (iab * va + bb * vb + ibc * vc) / s.b AS b,
    (iac * va + ibc * vb + cc * vc) / s.c AS c
  FROM inverse, sizes s WHERE determinant > 1e-12
),
-- Per block: the sums of residual times column.
scores AS (
  SELECT t.block, sum(e * t.a) / any_value(s.a) AS ua, sum(e * t.b) / any_value(s.b) AS ub, sum(e * t.c) / any_value(s.c) AS uc
  FROM (SELECT t.*, t.y - v.a * t.a - v.b * t.b - v.c * t.c AS e FROM centred t, solved v) t, sizes s
  GROUP BY t.block
),
-- The small-sample factor of CR1 counts an intercept per architecture.
counts AS (
  SELECT count(*) AS n, count(DISTINCT block) AS blocks, 3 + count(DISTINCT architecture) AS fitted FROM used
),
errors AS (
  SELECT sqrt(any_value(blocks / (blocks - 1) * (n - 1) / (n - fitted))) AS factor,
    factor * sqrt(sum(pow((aa * ua + iab * ub + iac * uc) / s.a, 2))) AS a,
    factor * sqrt(sum(pow((iab * ua + bb * ub + ibc * uc) / s.b, 2))) AS b,
    factor * sqrt(sum(pow((iac * ua + ibc * ub + cc * uc) / s.c, 2))) AS c,
    any_value(blocks) - 1 AS df
  FROM scores, inverse, sizes s, counts WHERE blocks > 1 AND n > fitted
),
listed AS (
  SELECT unnest(['dependency', 'sparsity', 'exits']) AS name, unnest([v.a, v.b, v.c]) AS value, unnest([e.a, e.b, e.c]) AS error,
    e.df
  FROM solved v, errors e
),
-- The distribution of t for a whole number of degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4).
angles AS (
  SELECT *, atan(abs(value / error) / sqrt(df)) AS angle, range(0, df // 2) AS terms FROM listed
),
summed AS (
  SELECT *, coalesce(list_sum(list_transform(terms, lambda k: pow(cos(angle), 2 * k + df % 2) *
      coalesce(list_product(list_transform(range(1, k + 1), lambda j: (2 * j - 1 + df % 2) / (2 * j + df % 2))), 1))), 0)
    * sin(angle) AS series
  FROM angles
)
SELECT name, value, error, 1 - CASE WHEN df % 2 = 0 THEN series ELSE 2 / pi() * (angle + series) END AS p FROM summed;
