"""What the shop of these tests can do, as its settings say it."""

ACTIONS = """
[actions.call]
channel = "telephone"
cost = 2.0
capacity = 40
mass = false
owner = "Ann"
kept = { mean = 0.2, sd = 0.08 }

[actions.voucher]
channel = "e-mail"
cost = 0.1
cost_per_spend = 0.05
kept = { mean = 0.08, sd = 0.04 }
lift = { mean = 0.1, sd = 0.05 }

[plan]
budget = 60
holdout = 0.2
"""
