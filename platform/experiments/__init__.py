"""Many runs under one name: rows, transfer, reproduction, the lease of their driver, estimates."""
