"""The scoring engine: many samples, several rewards, some slow, some hostile, always an answer.

engine.py      what callers use: registers rewards, routes to lanes, keeps accounts
interface.py   what a mix needs of an engine; those that run elsewhere have it too
offer.py       an engine as a plugin offers it
component.py   a reward as one engine knows it
submission.py  a batch of samples: duplicates, cache, calls, results
waiting.py     scores that are on their way
cores.py       how many worker processes an engine has by default
lanes.py       the lanes of one process
work.py        what a lane is given; the inline lane; the watch over calls in this process
batch.py       the batch lane
loop.py        the async lane
pool.py        the process lane: hands chunks to worker processes, kills at the time limit
handle.py      one worker process, seen from the engine
forks.py       the fork server, seen from the engine
server.py      the clean process that workers are forked from
worker.py      what a worker process does
wire.py        what those say to each other
call.py        the boundary around every call of a reward
stats.py       counts, means, quantiles of times
"""
