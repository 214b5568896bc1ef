-- The effects of claims C0 to C4, one row per claim and block. Verdicts are made over blocks, and not here. Claim C5 is a
-- regression over all blocks, see `@earlyCoefficients`.
WITH pairs AS (
  SELECT s.block, s.data, s.name AS fixed, d.name AS dynamic
  FROM networks s JOIN networks d ON d.block = s.block AND d.role = 'joint'
  WHERE s.role = 'static'
),
-- C0: success of the worst case over all white-box attacks, static minus routed.
unharmed AS (
  SELECT p.block, c.sample FROM pairs p
  JOIN routed c ON c.network IN (p.fixed, p.dynamic) AND c.attack = '' AND c.records = 'reported'
  GROUP BY p.block, c.sample HAVING bool_and(c.answer = c.label AND c.finalAnswer = c.label)
),
worst AS (
  SELECT p.block, r.sample, r.network = p.dynamic AS routed, bool_or(r.answer <> r.label) AS wrong
  FROM pairs p
  JOIN routed r ON r.network IN (p.fixed, p.dynamic) AND r.surrogate = r.network AND r.exits = '' AND r.records = 'reported'
  JOIN attacks a ON a.name = r.attack AND list_contains(string_split(a.uses, ' '), 'white-box')
  GROUP BY ALL
),
robustness AS (
  SELECT block, avg(wrong::INTEGER) FILTER (WHERE NOT routed) - avg(wrong::INTEGER) FILTER (WHERE routed) AS effect
  FROM worst JOIN unharmed USING (block, sample) GROUP BY block
),
-- C1: transfer of the first attack from joint to static networks minus the other way, without shared weights.
-- Every target counts alike.
main AS (
  SELECT name FROM attacks WHERE made = 'any' AND list_contains(string_split(uses, ' '), 'transfer') ORDER BY place LIMIT 1
),
towards AS (
  SELECT surrogateBlock AS block, surrogateRole AS role, avg(success) AS success
  FROM transfer WHERE attack IN (FROM main) AND kinship IN ('same-arch', 'cross-arch') AND surrogateRole <> targetRole
  GROUP BY ALL
),
asymmetry AS (
  SELECT j.block, j.success - s.success AS effect
  FROM towards j JOIN towards s ON s.block = j.block AND s.role = 'static' WHERE j.role = 'joint'
),
-- C2: logarithm of the ratio of yields, dynamic over static. No success at all counts as half a sample.
yields AS (
  SELECT d.block, ln(greatest(d.adversarial, 0.5) / d.macs) - ln(greatest(s.adversarial, 0.5) / s.macs) AS effect
  FROM yield d JOIN yield s ON s.block = d.block AND s.surrogate = 'static'
  WHERE d.surrogate = 'dynamic, routed' AND d.adversarial IS NOT NULL
),
-- C4: slope over four places of the first exit, attacks made on other networks, first target.
sweeps AS (
  SELECT block, slope AS effect FROM firstExitSlope
  WHERE scenario = 'across' AND places = 4 AND target IN (SELECT target FROM policies WHERE main)
),
-- C3: mean change of cost under the first attack, over all static networks of the data set.
costs AS (
  SELECT p.block, avg(c.shift) AS effect
  FROM pairs p
  JOIN costShift c ON c.network = p.dynamic
  JOIN networks n ON n.name = c.surrogate AND n.role = 'static' AND n.data = p.data
  WHERE c.attack IN (
    SELECT name FROM attacks
    WHERE made <> 'dynamic' AND list_contains(string_split(uses, ' '), 'cost') ORDER BY place LIMIT 1
  )
  GROUP BY p.block
)
SELECT 'C0' AS claim, block, effect FROM robustness
UNION ALL SELECT 'C1', block, effect FROM asymmetry
UNION ALL SELECT 'C2', block, effect FROM yields
UNION ALL SELECT 'C3', block, effect FROM costs
UNION ALL SELECT 'C4', block, effect FROM sweeps;
