// Slices as a film: one after the other, from the last to the first again.

export const SPEEDS = [2, 5, 10, 15, 25]; // slices a second

/** The next speed up (+1) or down (-1). */
export function faster(speed, direction) {
  const at = SPEEDS.indexOf(speed) + direction;
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))];
}

export class Cine {
  /** `next()` shows the next slice, `speed()` tells how many a second, `ended()` is told when it stops. */
  constructor({ next, speed, ended }) {
    Object.assign(this, { next, speed, ended, running: 0 });
  }

  toggle() {
    if (this.running) this.stop(); else this.tick(performance.now());
  }

  tick(due) {
    // from when it was due: a late frame does not slow the film, and a hidden page does not hurry it afterwards
    const following = Math.max(due, performance.now() - 200) + 1000 / this.speed();
    this.running = setTimeout(() => {
      this.next();
      this.tick(following);
    }, following - performance.now());
  }

  stop() {
    if (!this.running) return;
    clearTimeout(this.running);
    this.running = 0;
    this.ended();
  }
}
