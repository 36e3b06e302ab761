// The page says everything without this script. It adds: a reference lights what it refers to, and one
// button opens every substep.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const hover = (element, change) => {
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => change(true));
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, () => change(false));
  };

  for (const reference of all("a.ref")) {
    const target = document.getElementById(decodeURIComponent(reference.getAttribute("href").slice(1)));
    if (target) hover(reference, (on) => target.classList.toggle("lit", on));
  }

  // A reference opens the proof that it leads into.
  for (const reference of all("a.ref, .tally a")) {
    reference.addEventListener("click", () => {
      const target = document.getElementById(decodeURIComponent(reference.getAttribute("href").slice(1)));
      for (let fold = target && target.closest("details"); fold; fold = fold.parentNode.closest("details")) fold.open = true;
    });
  }

  const substeps = all("details");
  const control = document.querySelector(".control");
  if (substeps.length && control) {
    const button = control.querySelector("button");
    const label = () => {
      button.textContent = substeps.some((substep) => !substep.open) ? "Open all details" : "Close all details";
    };
    control.hidden = false;
    button.addEventListener("click", () => {
      const open = substeps.some((substep) => !substep.open);
      for (const substep of substeps) substep.open = open;
      label();
    });
    for (const substep of substeps) substep.addEventListener("toggle", label);
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = substeps.filter((substep) => !substep.open);
    for (const substep of closed) substep.open = true;
  });
  addEventListener("afterprint", () => {
    for (const substep of closed) substep.open = false;
  });
})();
