-- What each network answers for each image under its policy: the exit where the work stops, the class, the cost.
-- One row per task and sample. Only the policy of the first target with all exits is used.
WITH readings AS (
  SELECT a.*, e.macs,
    max(a.exit) OVER (PARTITION BY a.key, a.sample) AS last,
    a.answer IS DISTINCT FROM lag(a.answer) OVER (PARTITION BY a.key, a.sample ORDER BY a.exit) AS changed
  FROM answers a JOIN exits e ON e.network = a.network AND e.exit = a.exit
),
agreed AS (
  SELECT *, sum(changed::INTEGER) OVER (PARTITION BY key, sample ORDER BY exit) AS runNumber FROM readings
),
runs AS (
  SELECT *, row_number() OVER (PARTITION BY key, sample, runNumber ORDER BY exit) AS run FROM agreed
),
judged AS (
  SELECT r.*, p.fallback,
    CASE WHEN p.rule = 'entropy' THEN -r.confidence ELSE r.confidence END AS rank,
    r.exit < r.last AND CASE p.rule
      WHEN 'entropy' THEN r.confidence <= p.threshold
      WHEN 'patience' THEN r.run >= p.threshold
      ELSE r.confidence >= p.threshold
    END AS fires
  FROM runs r LEFT JOIN policies p
    ON p.network = r.network AND p.exit = least(r.exit, r.last - 1) AND p.main AND p.exits = ''
),
stopped AS (
  SELECT *,
    coalesce(min(exit) FILTER (WHERE fires) OVER (PARTITION BY key, sample), last) AS stop,
    first_value(exit) OVER (PARTITION BY key, sample ORDER BY rank DESC, exit) AS surest
  FROM judged
),
answered AS (
  SELECT key, data, network, surrogate, attack, exits, records, sample, any_value(label) AS label,
    any_value(stop) AS stop,
    any_value(CASE WHEN stop < last OR coalesce(fallback, 'final') = 'final' THEN stop ELSE surest END) AS exit,
    max(answer) FILTER (WHERE exit = CASE WHEN stop < last OR coalesce(fallback, 'final') = 'final' THEN stop ELSE surest END)
      AS answer,
    max(confidence) FILTER (WHERE exit = CASE WHEN stop < last OR coalesce(fallback, 'final') = 'final' THEN stop ELSE surest END)
      AS confidence,
    max(macs) FILTER (WHERE exit = stop) AS macs,
    max(macs) FILTER (WHERE exit = last) AS fullMacs,
    max(answer) FILTER (WHERE exit = last) AS finalAnswer
  FROM stopped
  GROUP BY key, data, network, surrogate, attack, exits, records, sample
),
-- Closed gates save their blocks. Those behind the exit where the work stops are never met.
saved AS (
  SELECT b.key, b.sample, sum(g.macs) AS saved
  FROM gateBits b
  JOIN gates g ON g.network = b.network AND g.gate = b.gate
  JOIN answered a ON a.key = b.key AND a.sample = b.sample AND b.exit <= a.stop
  WHERE NOT b.open GROUP BY b.key, b.sample
)
SELECT key, data, network, surrogate, attack, exits, records, sample, label, stop, exit, answer, confidence,
  CASE WHEN fullMacs > 0 THEN (macs - coalesce(saved, 0)) / fullMacs ELSE 1 END AS cost, finalAnswer
FROM answered LEFT JOIN saved USING (key, sample);
