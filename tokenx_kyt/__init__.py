"""The know-your-transaction service (:8300): scores every final transfer and watches executions for market abuse.

It owns no data: what it finds is committed through the api together with its cursor, then announced."""
