"""`make run`: the portal with demo data beside a running appliance."""
