"""The rule `label`: one snapshot whose churn stands in a column."""
