import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** The size of an element's content in CSS pixels, and the reference to give it. */
export function useSize<Target extends HTMLElement>(): {
  readonly ref: RefObject<Target | null>;
  readonly width: number;
  readonly height: number;
} {
  const ref = useRef<Target>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const target = ref.current;
    if (target === null) return undefined;
    const measure = () => setSize({ width: target.clientWidth, height: target.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}
