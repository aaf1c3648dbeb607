"""The scoring engine: many samples, several rewards, some slow, some hostile, always an answer.

engine.py    what callers use: dedupes, caches, routes to lanes, keeps accounts
lanes.py     the work that lanes share, and the inline, async and batch lanes
pool.py      the process lane: hands chunks to worker processes, kills at the time limit
server.py    the clean process that workers are forked from
worker.py    what a worker process does
wire.py      what those three say to each other
call.py      the boundary around every call of a reward
stats.py     counts, means, quantiles of times
"""
