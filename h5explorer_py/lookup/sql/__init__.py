"""Conditions that a person types, made safe, and a runner for the queries that hold them."""
