"""Facts and what follows from them: issues, values, records, the ledger. Pure: no clock, no file, no network."""
