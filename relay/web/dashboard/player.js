// One sound at a time.

let player = null;

/** @param {Blob} sound a WAV file */
export async function play(sound) {
  if (player) {
    player.pause();
    URL.revokeObjectURL(player.src);
  }
  player = new Audio(URL.createObjectURL(sound));
  await player.play();
}
