// A key that was scanned: /activate#KEY. What is behind # stays in the browser: no server, proxy or referrer
// ever sees it. On the way there may be a sign-in, so the key waits in this tab until its form is there.
"use strict";

(() => {
  const PLACE = "activation-key";
  const HOUR = 3_600_000; // a tab that was left open shall not keep it for whoever comes next
  const CODE = /^#((?:[0-9A-Za-z]{5}-?){5})$/;

  const waiting = () => {
    try {
      const { code, until } = JSON.parse(sessionStorage.getItem(PLACE));
      return Date.now() < until ? code : "";
    } catch {
      return ""; // nothing waits, or this browser keeps nothing
    }
  };

  const forget = () => {
    try {
      sessionStorage.removeItem(PLACE);
    } catch {
      // nothing was kept
    }
  };

  const keep = (code) => {
    try {
      sessionStorage.setItem(PLACE, JSON.stringify({ code, until: Date.now() + HOUR }));
    } catch {
      // it can still be typed
    }
  };

  const take = () => {
    const [, scanned = ""] = CODE.exec(location.hash) ?? [];
    if (scanned) {
      history.replaceState(history.state, "", location.pathname + location.search);
      keep(scanned);
    }
    const code = scanned || waiting();
    const field = document.querySelector("form[data-takes-key] input[data-activation-code]");
    if (field && code && (scanned || !field.value)) {
      forget();
      field.value = code;
      field.form.querySelector("button[type='submit']").focus();
    }
    const told = document.querySelector("[data-key-waits]");
    if (told) {
      told.hidden = !code;
    }
  };

  take();
  addEventListener("hashchange", take);
  document.querySelector("form[data-signs-out]")?.addEventListener("submit", forget);
})();
