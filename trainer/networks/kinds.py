"""Which kinds of network can be trained? One file each."""

from trainer.networks.dora import DORA
from trainer.networks.loha import LOHA
from trainer.networks.lokr import LOKR
from trainer.networks.lora import LORA
from trainer.networks.network import NetworkKind

NETWORKS: dict[str, NetworkKind] = {kind.name: kind for kind in (LORA, LOHA, LOKR, DORA)}
