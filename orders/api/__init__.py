"""Orders over REST, for the vendor's ERP."""
