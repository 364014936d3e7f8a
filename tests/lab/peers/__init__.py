"""Real programs as peers: Gradio apps with upstream's faces, and the LiteLLM proxy."""

from .start import MASTER_KEY, PEERS, RunningPeer, start_peer

__all__ = ["MASTER_KEY", "PEERS", "RunningPeer", "start_peer"]
