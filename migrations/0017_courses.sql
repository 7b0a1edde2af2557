-- The first two courses: what an investor should know before using the market. Text is original to this project.
-- migrate:up
INSERT INTO lms.courses (course_id, title, version, summary, published) VALUES
    ('crs_market', 'How this market works', 1, 'Offerings, subscriptions, orders, matching and settlement, in the order you meet them.', true),
    ('crs_custody', 'Tokens and custody', 1, 'What a security token is, who holds the keys, and why a transfer can be refused.', true);
INSERT INTO lms.lessons (lesson_id, course_id, position, title, body) VALUES
    ('les_market_1', 'crs_market', 1, 'From an offering to your first units',
     'An issuer describes a security: its price, the number of units and who may buy it. Compliance approves it and its token contract is deployed. '
     'While the offering is open you may subscribe. Your cash is reserved first; when the issuer accepts, new units are issued to your wallet and the cash goes to the issuer, both or neither.'),
    ('les_market_2', 'crs_market', 2, 'Orders and how they match',
     'A limit order names the worst price you accept; a market order is sent with a protection price so that it cannot run away. '
     'The best price trades first, and among equal prices the older order. You trade at the price of the order that was waiting. '
     'An order can never trade against another order of the same owner: the newer one is cancelled.'),
    ('les_market_3', 'crs_market', 3, 'Why an order may be refused',
     'Before an order reaches the book it passes the gate: your identity check must be current, your account not frozen, your wallet registered, your country allowed, '
     'the market open, the price within the collar around the last trade, and your cash or units must cover it. A refusal names every reason and, where there is one, the remedy.'),
    ('les_market_4', 'crs_market', 4, 'Settlement: delivery against payment',
     'A trade is a promise; settlement keeps it. Units and cash move in one transaction on the chain: both or neither. '
     'Until that transaction is final your bought units are shown as on their way and cannot be sold.'),
    ('les_custody_1', 'crs_custody', 1, 'What a security token is',
     'A token is an entry in a register kept by a contract on a blockchain: so many units of this security belong to this address. '
     'The transfer agent''s register and the chain are compared all the time, and a difference is an incident, not a rounding error.'),
    ('les_custody_2', 'crs_custody', 2, 'Who holds the keys',
     'Your wallet is custodial: its key is held by the platform''s signing service and by no other part of it. You prove who you are by signing in. '
     'Nobody, the platform included, will ever ask you for a private key or a recovery phrase.'),
    ('les_custody_3', 'crs_custody', 3, 'Why a transfer can be refused on chain',
     'The token asks an identity registry about every receiver. An address without a verified identity, a frozen one, or one in a blocked country cannot receive units. '
     'The contract checks this by itself, even if the application in front of it were wrong.'),
    ('les_custody_4', 'crs_custody', 4, 'Getting your money back: redemption',
     'Where the terms allow it you ask for redemption, the transfer agent approves it, the units are burned and you are paid out. '
     'The statement shows each step with its transaction.');

-- migrate:down
DELETE FROM lms.lessons WHERE course_id IN ('crs_market', 'crs_custody');
DELETE FROM lms.courses WHERE course_id IN ('crs_market', 'crs_custody');
