"""Stories: articles that report the same event in other words."""
