"""lm-eval and the hub: so far its model backends as generators of `hub eval`.

backend.py  any backend that lm-eval knows (hf, vllm, local-completions, ...) completes prompts
"""
