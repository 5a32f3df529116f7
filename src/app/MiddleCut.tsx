/** A text that is cut in its middle where room is short: its end tells as much as its beginning. */
export function MiddleCut({ text, tail }: { readonly text: string; readonly tail: number }) {
  const characters = Array.from(text);
  if (characters.length <= 2 * tail) return <span class="h5x-cut-tail">{text}</span>;
  return (
    <>
      <span class="h5x-cut-head">{characters.slice(0, -tail).join("")}</span>
      <span class="h5x-cut-tail">{characters.slice(-tail).join("")}</span>
    </>
  );
}
