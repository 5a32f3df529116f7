/** Holding a finger on a row, which does what Control and a click do. */

const HOLD_MS = 500;

/** For how many milliseconds after the finger is lifted a click may still come. */
const CLICK_MS = 400;

/** How far a finger that holds still moves at most, in CSS pixels. */
const STILL = 10;

/** Acts once a finger has been held where it came down; the click and the menu that would follow are left out. */
export function actOnHold(down: PointerEvent, act: () => void): void {
  if (down.pointerType !== "touch" || !down.isPrimary) return;
  const watched = new AbortController();
  const on = <Name extends keyof WindowEventMap>(name: Name, hear: (event: WindowEventMap[Name]) => void) =>
    window.addEventListener(name, hear, { capture: true, signal: watched.signal });
  const leaveOut = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  let acted = false;
  const timer = setTimeout(() => {
    acted = true;
    act();
  }, HOLD_MS);
  const end = () => {
    clearTimeout(timer);
    watched.abort();
  };
  on("pointermove", (event) => {
    if (!acted && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > STILL) end();
  });
  on("pointerup", () => (acted ? setTimeout(end, CLICK_MS) : end()));
  on("pointercancel", end);
  on("contextmenu", leaveOut);
  on("click", (event) => {
    leaveOut(event);
    end();
  });
  on("pointerdown", end);
}
