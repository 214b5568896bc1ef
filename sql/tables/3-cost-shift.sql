-- Cost shift (claim C3): the mean change of a network's cost under an attack, as a share of its full cost.
-- It counts samples that the network has right when clean. `fooled` and `kept` are the means of samples whose routed
-- answer changed and did not change.
SELECT r.data, r.network, r.surrogate, r.attack, a.family,
  count(*) AS samples, avg(r.cost - c.cost) AS shift,
  avg((r.answer <> c.answer)::INTEGER) AS changed,
  avg(r.cost - c.cost) FILTER (WHERE r.answer <> c.answer) AS fooled,
  avg(r.cost - c.cost) FILTER (WHERE r.answer = c.answer) AS kept
FROM routed r
JOIN routed c ON c.network = r.network AND c.data = r.data AND c.sample = r.sample
  AND c.attack = '' AND c.records = 'reported' AND c.answer = c.label
JOIN attacks a ON a.name = r.attack
WHERE r.records = 'reported' AND r.exits = ''
GROUP BY ALL;
