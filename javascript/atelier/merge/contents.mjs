// What does an inspected file tell? Its training in rows, its other metadata, and how strong its blocks and their layers are.

const TRAINING = [
  ["Title", ["modelspec.title", "ss_output_name"]],
  ["Author", ["modelspec.author"]],
  ["Description", ["modelspec.description", "ss_training_comment"]],
  ["Trigger word", ["modelspec.trigger_phrase"]],
  ["Base model", ["ss_sd_model_name", "ss_base_model_version", "modelspec.architecture"]],
  ["Resolution", ["ss_resolution", "modelspec.resolution"]],
  ["Pictures", ["ss_num_train_images"]],
  ["Steps", ["ss_steps", "ss_max_train_steps"]],
  ["Epochs", ["ss_num_epochs", "ss_epoch"]],
  ["Batch size", ["ss_total_batch_size", "ss_batch_size_per_device"]],
  ["Learning rate", ["ss_learning_rate", "ss_unet_lr"]],
  ["Optimizer", ["ss_optimizer"]],
  ["Network", ["ss_network_module"]],
  ["Rank", ["ss_network_dim"]],
  ["Alpha", ["ss_network_alpha"]],
  ["Seed", ["ss_seed"]],
  ["Predicts", ["modelspec.prediction_type"]],
  ["Made on", ["modelspec.date"]],
];
const LONGEST = 400; // characters of a value that is shown

/** Rows [label, value] of what the metadata says about the training. */
export function trainingOf(metadata) {
  return TRAINING.map(([label, keys]) => [label, keys.map((key) => metadata[key]).find((value) => value && !/^None$/.test(value))]).filter(([, value]) => value !== undefined);
}

/** Rows [key, value] of all metadata, by key, long values cut; pictures in it are left out. */
export function metadataOf(metadata) {
  const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  return Object.entries(metadata).filter(([, value]) => !value.startsWith("data:")).map(([key, value]) => [key, cut(value)]).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Each block with its layers, the strongest first, and shares of the strongest block's and the strongest layer's strength. */
export function strengthsOf(blocks) {
  const all = Object.entries(blocks);
  const most = Math.max(0, ...all.map(([, block]) => block.strength));
  const strongest = Math.max(0, ...all.map(([, block]) => block.largest));
  const share = (value, whole) => (whole > 0 ? value / whole : 0);
  return all.map(([name, block]) => ({
    ...block,
    name,
    share: share(block.strength, most),
    layers: Object.entries(block.layers).map(([layer, strength]) => ({ name: layer, strength, share: share(strength, strongest) })).sort((one, other) => other.strength - one.strength),
  }));
}

/** "4" or "2–8" of a lowest and a highest number. */
export function span([low, high]) {
  const text = (value) => String(Number(value.toPrecision(4)));
  return low === high ? text(low) : `${text(low)}–${text(high)}`;
}
