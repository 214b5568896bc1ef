-- First exit (claim C4): the share of samples whose routed answer changes, with one early exit and the final exit alone.
-- It counts samples that the final exit has right when clean. `exposure` is the share that stops early under the attack.
-- `vulnerability` is the share of those that change. Policies that fall back to the most confident exit are left out.
WITH pairs AS (
  SELECT p.*, n.exits - 1 AS last, e.costFraction, e.name AS exitName
  FROM policies p
  JOIN (SELECT DISTINCT name, exits FROM networks) n ON n.name = p.network
  JOIN exits e ON e.network = p.network AND e.exit = p.exit
  WHERE len(string_split(p.exits, ',')) = 2 AND p.fallback = 'final'
),
answered AS (
  SELECT p.network, p.target, p.exit, p.exitName, p.costFraction, f.data, f.surrogate, f.attack, f.sample, f.label,
    f.answer AS finalAnswer,
    CASE p.rule
      WHEN 'entropy' THEN e.confidence <= p.threshold
      WHEN 'patience' THEN 1 >= p.threshold
      ELSE e.confidence >= p.threshold
    END AS fired,
    CASE WHEN fired THEN e.answer ELSE f.answer END AS answer
  FROM pairs p
  JOIN answers e ON e.network = p.network AND e.exit = p.exit AND e.records = 'reported' AND e.exits = ''
  JOIN answers f ON f.key = e.key AND f.sample = e.sample AND f.exit = p.last
)
SELECT a.data, a.network, a.target, a.surrogate, a.attack, a.exit, a.exitName, a.costFraction,
  count(*) AS eligible, avg((a.answer <> c.answer)::INTEGER) AS changed,
  avg(a.fired::INTEGER) AS exposure, avg((a.answer <> c.answer)::INTEGER) FILTER (WHERE a.fired) AS vulnerability
FROM answered a
JOIN answered c ON c.network = a.network AND c.target = a.target AND c.exit = a.exit AND c.data = a.data
  AND c.sample = a.sample AND c.attack = '' AND c.finalAnswer = c.label
WHERE a.attack <> ''
GROUP BY ALL;
