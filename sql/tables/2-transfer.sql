-- Transfer matrix (claim C1): the share of samples that a target answers wrongly, by attack, surrogate and target.
-- It counts samples that every static and joint network of the data set has right when clean.
WITH compared AS (
  SELECT * FROM networks WHERE role IN ('static', 'joint')
),
eligible AS (
  SELECT r.data, r.sample FROM routed r JOIN compared c ON c.name = r.network
  WHERE r.attack = '' AND r.records = 'reported'
  GROUP BY r.data, r.sample HAVING bool_and(r.answer = r.label)
)
SELECT r.data, r.attack, r.surrogate, r.network AS target,
  CASE
    WHEN s.name = t.name THEN 'same'
    WHEN s.block = t.block AND s.role = 'static' AND t.role = 'static' THEN 'shared'
    WHEN s.architecture = t.architecture THEN 'same-arch'
    ELSE 'cross-arch'
  END AS kinship,
  s.block AS surrogateBlock, s.role AS surrogateRole, t.role AS targetRole,
  count(*) AS eligible, count(*) FILTER (WHERE r.answer <> r.label) AS wrong, avg((r.answer <> r.label)::INTEGER) AS success
FROM routed r
JOIN eligible USING (data, sample)
JOIN compared s ON s.name = r.surrogate
JOIN compared t ON t.name = r.network
JOIN attacks a ON a.name = r.attack AND list_contains(string_split(a.uses, ' '), 'transfer')
WHERE r.records = 'reported' AND r.exits = ''
GROUP BY ALL;
