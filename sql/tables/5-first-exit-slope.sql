-- Slope of the first exit (claim C4): how the share of changed labels depends on log10 of the cost of the first exit, by
-- block, scenario and target. The scenario is `within` for attacks that see the network, and `across` for those of
-- networks that share no weights. The slope is taken over `places` first exits, at most four.
WITH swept AS (
  SELECT * FROM networks n
  WHERE role = 'dense' OR (role = 'ic-only' AND NOT EXISTS (FROM networks d WHERE d.block = n.block AND d.role = 'dense'))
),
main AS (
  SELECT name FROM attacks WHERE made = 'any' AND list_contains(string_split(uses, ' '), 'transfer') ORDER BY place LIMIT 1
),
sets AS (
  SELECT s.block, s.name AS network, 'within' AS scenario, s.name AS surrogate FROM swept s
  UNION ALL
  SELECT DISTINCT s.block, s.name, 'across', o.name FROM swept s
  JOIN networks o ON o.data = s.data AND o.name <> s.name
    AND (o.role = 'joint' OR (o.role = 'static' AND o.block <> s.block))
),
points AS (
  SELECT s.block, s.network, s.scenario, f.target, f.exit, f.exitName, f.costFraction, any_value(f.eligible) AS eligible,
    avg(f.changed) AS changed, avg(f.exposure) AS exposure,
    sum(f.vulnerability * f.exposure) FILTER (WHERE f.exposure > 0) / nullif(sum(f.exposure), 0) AS vulnerability
  FROM sets s JOIN firstExit f ON f.network = s.network AND f.surrogate = s.surrogate AND f.attack IN (FROM main)
  GROUP BY ALL
),
numbered AS (
  SELECT *, row_number() OVER sweep - 1 AS position, count(*) OVER (PARTITION BY block, scenario, target) AS early
  FROM points WINDOW sweep AS (PARTITION BY block, scenario, target ORDER BY exit)
),
chosen AS (
  SELECT *, early <= 4 OR position IN (0, round((early - 1) / 3), round(2 * (early - 1) / 3), early - 1) AS counts
  FROM numbered
)
SELECT block, network, scenario, target, count(*) FILTER (WHERE counts) AS places,
  CASE WHEN places > 1 THEN regr_slope(changed, log10(costFraction)) FILTER (WHERE counts) END AS slope,
  any_value(eligible) AS eligible,
  list({exit: exitName, cost: costFraction, changed: changed, exposure: exposure, vulnerability: vulnerability} ORDER BY exit)
    AS points
FROM chosen GROUP BY ALL;
