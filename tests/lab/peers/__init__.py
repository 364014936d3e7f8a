"""Real programs as peers: Gradio apps with upstream's faces, and the LiteLLM proxy."""

from .start import LOGIN, MASTER_KEY, PEERS, RunningPeer, start_peer, start_peers

__all__ = ["LOGIN", "MASTER_KEY", "PEERS", "RunningPeer", "start_peer", "start_peers"]
