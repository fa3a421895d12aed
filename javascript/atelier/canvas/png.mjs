// How does a mask become a file? A PNG with one byte for each pixel, as the server's masks are; browsers' own would have four.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0;

/** The mask as a Blob of a greyscale PNG of its size. */
export async function maskFile(mask) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, mask.width);
  view.setUint32(4, mask.height);
  header.set([8, GREY, 0, 0, 0], 8);
  const parts = [new Uint8Array(SIGNATURE), ...chunk("IHDR", header), ...chunk("IDAT", await deflated(rowsOf(mask))), ...chunk("IEND", new Uint8Array(0))];
  return new Blob(parts, { type: "image/png" });
}

/** Each row behind a byte that says: as it is. */
function rowsOf({ width, height, data }) {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y += 1) rows.set(data.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return rows;
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(name, data) {
  const letters = new Uint8Array([...name].map((letter) => letter.charCodeAt(0)));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, data.length);
  const check = new Uint8Array(4);
  new DataView(check.buffer).setUint32(0, crc([letters, data]));
  return [length, letters, data, check];
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(parts) {
  let value = 0xffffffff;
  for (const part of parts) for (let at = 0; at < part.length; at += 1) value = TABLE[(value ^ part[at]) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
