"""What the three back ends share: the service, the ledger, the way to the gateway, the process."""
