"""Generators that most people need: transformers in this process, and OpenAI-compatible servers.

transformers_model.py  a model folder or hub id, batched
transformers_start.py  the same for commands: imports it without what no prompt needs
without_compiler.py    makes the model without torch's compiler
slots.py               rows that are done make room for those that wait
load.py                loading it
in_memory.py           knowing a model in memory again
likelihood.py          how likely a model thinks a text is
vllm_model.py          the same with vLLM
prompts.py             chat messages, plain text and tokens, whichever the model takes
continuations.py       where a context ends and the text after it begins, in tokens
sampling.py            draws that do not depend on the batch, and stopping at stop texts
stop.py                cutting a text at its stop text
openai_server.py       a server: many requests at once
openai_request.py      one request: retries, waiting, and what an answer must look like
"""
