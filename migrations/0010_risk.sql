-- Transaction risk scores and alerts (kyt), trade surveillance alerts, and the courses.
-- migrate:up
CREATE TABLE kyt.tx_risk_scores (
    score_id      text PRIMARY KEY,
    chain_id      bigint NOT NULL,
    seq           bigint NOT NULL,                    -- chain event it scores
    event_id      text NOT NULL,
    tx_hash       text NOT NULL,
    token         text NOT NULL,
    from_address  text NOT NULL,
    to_address    text NOT NULL,
    amount        numeric(78, 0) NOT NULL,            -- base units
    provider      text NOT NULL,
    level         text NOT NULL CHECK (level IN ('severe', 'high', 'medium', 'low', 'no_hit', 'unknown', 'unsupported')),
    score         int CHECK (score BETWEEN 0 AND 100), -- null: the provider gave none
    factors       jsonb NOT NULL,                     -- [{code, points, value, evidence}]
    list_version  text NOT NULL,
    list_as_of    date,
    input_hash    bytea NOT NULL,
    scored_at     timestamptz NOT NULL,
    UNIQUE (chain_id, event_id, provider)
);
CREATE INDEX scores_to ON kyt.tx_risk_scores (to_address, scored_at);
CREATE TABLE kyt.alerts (
    alert_id    text PRIMARY KEY,
    seq         bigint NOT NULL UNIQUE,               -- dense in the alerts stream of kyt
    dedupe_key  text NOT NULL UNIQUE,
    kind        text NOT NULL,                        -- sanctions, exposure, structuring, …
    severity    text NOT NULL CHECK (severity IN ('severe', 'high', 'medium', 'low')),
    status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'assigned', 'investigating', 'escalated', 'closed')),
    outcome     text CHECK (outcome IN ('false_positive', 'explained', 'confirmed_risk', 'duplicate')),
    title       text NOT NULL,
    score_id    text REFERENCES kyt.tx_risk_scores,
    facts       jsonb NOT NULL,
    assigned_to text REFERENCES api.users,
    closed_by   text REFERENCES api.users,
    close_reason text NOT NULL DEFAULT '',
    raised_at   timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE surveillance.alerts (
    alert_id         text PRIMARY KEY,
    seq              bigint NOT NULL UNIQUE,          -- dense in the alerts stream of surveillance
    dedupe_key       text NOT NULL UNIQUE,
    detector         text NOT NULL,                   -- S01_self_trade, S03_wash_ring, …
    detector_version int NOT NULL,
    severity         text NOT NULL CHECK (severity IN ('severe', 'high', 'medium', 'low')),
    status           text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'assigned', 'investigating', 'escalated', 'closed')),
    outcome          text CHECK (outcome IN ('false_positive', 'explained', 'confirmed_risk', 'duplicate')),
    offering_id      text NOT NULL REFERENCES api.offerings,
    from_seq         bigint NOT NULL,                 -- exec_seq range it rests on
    to_seq           bigint NOT NULL,
    subjects         jsonb NOT NULL,                  -- [{owner_group, role}]
    metrics          jsonb NOT NULL,                  -- name -> {value, threshold}
    fill_ids         text[] NOT NULL,
    title            text NOT NULL,
    replay_hash      bytea NOT NULL,
    assigned_to      text REFERENCES api.users,
    closed_by        text REFERENCES api.users,
    close_reason     text NOT NULL DEFAULT '',
    raised_at        timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE lms.courses (
    course_id   text PRIMARY KEY,
    title       text NOT NULL,
    version     int NOT NULL CHECK (version > 0),
    summary     text NOT NULL,
    published   boolean NOT NULL DEFAULT false
);
CREATE TABLE lms.lessons (
    lesson_id   text PRIMARY KEY,
    course_id   text NOT NULL REFERENCES lms.courses,
    position    int NOT NULL CHECK (position > 0),
    title       text NOT NULL,
    body        text NOT NULL,
    UNIQUE (course_id, position)
);
CREATE TABLE lms.quizzes (
    quiz_id     text PRIMARY KEY,
    course_id   text NOT NULL REFERENCES lms.courses,
    questions   jsonb NOT NULL,                       -- [{prompt, choices, answer}]; the answer never leaves the server
    pass_mark   int NOT NULL CHECK (pass_mark BETWEEN 1 AND 100)
);
CREATE TABLE lms.enrollments (
    course_id    text NOT NULL REFERENCES lms.courses,
    investor_id  text NOT NULL REFERENCES api.investors,
    enrolled_at  timestamptz NOT NULL DEFAULT now(),
    score        int CHECK (score BETWEEN 0 AND 100),
    completed_at timestamptz,
    PRIMARY KEY (course_id, investor_id)
);

-- migrate:down
DROP TABLE lms.enrollments;
DROP TABLE lms.quizzes;
DROP TABLE lms.lessons;
DROP TABLE lms.courses;
DROP TABLE surveillance.alerts;
DROP TABLE kyt.alerts;
DROP TABLE kyt.tx_risk_scores;
