"""Rewards for the form of a completion: tags, boxes, JSON, patterns, length, repetition."""
