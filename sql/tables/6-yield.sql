-- Yield (claim C2): adversarial samples per 10^12 MACs and per second, by block and surrogate. A sample counts with the
-- share of the static targets that it fools. It counts samples that the targets, the static network and the routed answer
-- of the dynamic one have right when clean. `censored` are the samples without a success on the surrogate.
WITH pairs AS (
  SELECT s.block, s.data, s.name AS fixed, d.name AS dynamic
  FROM networks s JOIN networks d ON d.block = s.block AND d.role = 'joint' WHERE s.role = 'static'
),
used AS (
  SELECT min_by(name, place) FILTER (WHERE made = 'any') AS plain,
    min_by(name, place) FILTER (WHERE made = 'dynamic' AND goal = 'routed') AS routed
  FROM attacks WHERE list_contains(string_split(uses, ' '), 'yield')
),
contenders AS (
  SELECT block, fixed AS network, plain AS attack, '' AS exits, 'static' AS surrogate FROM pairs, used
  UNION ALL SELECT block, dynamic, routed, '', 'dynamic, routed' FROM pairs, used
  UNION ALL
  SELECT p.block, p.dynamic, u.plain, e.output, concat('pruned at ', e.name)
  FROM pairs p JOIN exits e ON e.network = p.dynamic, used u
  UNION ALL
  SELECT p.block, n.name, u.plain, '', 'small static'
  FROM pairs p JOIN networks n ON n.block = p.block AND n.role = 'small-static', used u
),
targets AS (
  SELECT DISTINCT p.block, n.name AS target
  FROM pairs p JOIN networks n ON n.data = p.data AND n.role = 'static' AND n.name <> p.fixed
),
eligible AS (
  SELECT p.block, c.sample
  FROM pairs p JOIN routed c ON c.data = p.data AND c.attack = '' AND c.records = 'reported'
  LEFT JOIN targets t ON t.block = p.block AND t.target = c.network
  WHERE c.network IN (p.fixed, p.dynamic) OR t.target IS NOT NULL
  GROUP BY p.block, c.sample
  HAVING bool_and(c.label = CASE WHEN c.network = p.dynamic THEN c.answer ELSE c.finalAnswer END)
),
fooled AS (
  SELECT c.block, c.surrogate, r.sample, avg((r.finalAnswer <> r.label)::INTEGER) AS adversarial
  FROM contenders c JOIN targets t ON t.block = c.block
  JOIN routed r ON r.surrogate = c.network AND r.attack = c.attack AND r.exits = c.exits AND r.network = t.target
    AND r.records = 'reported'
  GROUP BY ALL
),
paced AS (
  SELECT a.network AS fixed, b.network AS dynamic, p.contestant,
    list_sort(list(p.seconds / p.samples))[count(*) // 2 + 1] AS seconds
  FROM pace p
  JOIN contestants a ON a.key = p.key AND a.contestant = 0
  JOIN contestants b ON b.key = p.key AND b.contestant = 1
  GROUP BY p.key, a.network, b.network, p.contestant
),
timed AS (
  SELECT p.block, CASE t.contestant WHEN 0 THEN 'static' ELSE 'dynamic, routed' END AS surrogate, t.seconds
  FROM pairs p JOIN paced t ON t.fixed = p.fixed AND t.dynamic = p.dynamic
)
SELECT c.block, c.surrogate, count(*) AS samples, sum(f.adversarial) AS adversarial,
  sum(o.forwardMacs + o.backwardMacs) AS macs, 1e12 * sum(f.adversarial) / sum(o.forwardMacs + o.backwardMacs) AS perTeraMac,
  avg(f.adversarial) / any_value(t.seconds) AS perSecond, count(*) FILTER (WHERE o.macsToSuccess IS NULL) AS censored
FROM contenders c
JOIN outcomes o ON o.network = c.network AND o.attack = c.attack AND o.exits = c.exits AND o.records = 'reported'
JOIN eligible e ON e.block = c.block AND e.sample = o.sample
LEFT JOIN fooled f ON f.block = c.block AND f.surrogate = c.surrogate AND f.sample = o.sample
LEFT JOIN timed t ON t.block = c.block AND t.surrogate = c.surrogate
GROUP BY c.block, c.surrogate;
