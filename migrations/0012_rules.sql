-- The rule versions that tokenx_api/compliance/rules.py evaluates, with the source of each. Append a new version, never edit an old one.
-- migrate:up
INSERT INTO compliance.rules (rule_id, version, reason_code, source, status, effective_from) VALUES
    ('R01_kyc_current',        1, 'KYC_NOT_APPROVED',      '31 CFR 1023.220',                                'active', '2026-01-01T00:00:00Z'),
    ('R21_account_frozen',     1, 'ACCOUNT_FROZEN',        'ERC-3643 freeze; legal process',                 'active', '2026-01-01T00:00:00Z'),
    ('R22_wallet_registered',  1, 'WALLET_UNVERIFIED',     'ERC-3643 isVerified',                            'active', '2026-01-01T00:00:00Z'),
    ('R19_jurisdiction',       1, 'JURISDICTION_BLOCKED',  'offering terms; state and foreign securities law', 'active', '2026-01-01T00:00:00Z'),
    ('V01_offering_open',      1, 'OFFERING_NOT_OPEN',     'offering terms',                                 'active', '2026-01-01T00:00:00Z'),
    ('V02_market_open',        1, 'MARKET_NOT_OPEN',       '17 CFR 242.301(b); venue rules',                 'active', '2026-01-01T00:00:00Z'),
    ('R20_units_unrestricted', 1, 'LOCKUP',                'offering terms; transfer-agent instruction',     'active', '2026-01-01T00:00:00Z'),
    ('R23_inventory',          1, 'INSUFFICIENT_QUANTITY', '17 CFR 242.200; 17 CFR 240.15c3-5',              'active', '2026-01-01T00:00:00Z'),
    ('R24_buying_power',       1, 'INSUFFICIENT_FUNDS',    '17 CFR 240.15c3-5(c)(1)(i)',                     'active', '2026-01-01T00:00:00Z'),
    ('R25_price_collar',       1, 'COLLAR',                '17 CFR 240.15c3-5(c)(1)(ii)',                    'active', '2026-01-01T00:00:00Z');

-- migrate:down
DELETE FROM compliance.rules WHERE version = 1 AND effective_from = '2026-01-01T00:00:00Z';
