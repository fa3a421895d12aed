"""How does a network come onto a model, get its weights, and give them?"""

from trainer.networks.attaching import attach, restore, state
from trainer.networks.kinds import NETWORKS
from trainer.networks.network import Group, NetworkKind
from trainer.networks.starting import load_into

__all__ = ["NETWORKS", "Group", "NetworkKind", "attach", "load_into", "restore", "state"]
