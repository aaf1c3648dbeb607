"""`hub serve-model`: a model behind OpenAI's protocol, for judges and for `hub eval` of a server.

command.py   the command
app.py       answers HTTP
request.py   what a request asks for; what is refused
batches.py   requests that wait are completed together

Any generator can be served. It is for a machine or a small group; for many users take vLLM or SGLang.
Not here: streaming, tools, images, several completions in one request.
"""
