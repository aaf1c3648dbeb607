"""Generators that most people need: transformers in this process, and OpenAI-compatible servers.

transformers_model.py  a model folder or hub id, batched
prompts.py             chat messages and plain text, whichever the model takes
likelihood.py          how likely a model thinks a text is
sampling.py            draws that do not depend on the batch, and stopping at stop texts
stop.py                cutting a text at its stop text
openai_server.py       a server: many requests at once
openai_request.py      one request: retries, waiting, and what an answer must look like
"""
