// Codes by the camera, where the browser can read them: the code gets into the field as if it were typed.
"use strict";

const scanner = document.querySelector("[data-scanner]");
const FORMATS = ["code_128", "code_39", "qr_code", "data_matrix"];

async function offerScanner() {
  if (!scanner || !("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) {
    return;
  }
  const supported = await BarcodeDetector.getSupportedFormats();
  const formats = FORMATS.filter((format) => supported.includes(format));
  if (formats.length === 0) {
    return;
  }
  const detector = new BarcodeDetector({ formats });
  const field = scanner.closest("form").querySelector("input[data-activation-code], textarea[data-scan]");
  const view = scanner.querySelector("[data-scan-view]");
  const start = scanner.querySelector("[data-scan-start]");
  const video = scanner.querySelector("video");
  const told = scanner.querySelector("[role='status']");
  let stream;

  const stop = () => {
    for (const track of stream?.getTracks() ?? []) {
      track.stop();
    }
    stream = undefined;
    view.hidden = true;
    start.hidden = false;
  };
  const take = (text) => {
    if (field.dataset.scan === "line") {
      const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      if (lines.includes(text)) {
        return;
      }
      field.value = `${[...lines, text].join("\n")}\n`;
    } else {
      field.value = text;
      stop();
      field.focus();
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    told.textContent = `${told.dataset.scanned} …${text.slice(-4)}`;
  };
  const look = async () => {
    if (!stream) {
      return;
    }
    try {
      for (const code of await detector.detect(video)) {
        // 25 letters and digits in whatever groups: anything else on the certificate is no key.
        if (code.rawValue.replace(/[^0-9A-Za-z]/g, "").length === 25) {
          take(code.rawValue.trim());
        }
      }
    } catch {
      // a frame that cannot be read yet; the next one may be
    }
    if (stream) {
      setTimeout(look, 150);
    }
  };

  scanner.hidden = false;
  start.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      told.textContent = scanner.dataset.noCamera;
      return;
    }
    told.textContent = "";
    start.hidden = true;
    view.hidden = false;
    video.srcObject = stream;
    video.play().catch(() => {}); // stopped before it began
    look();
  });
  scanner.querySelector("[data-scan-stop]").addEventListener("click", stop);
}

offerScanner();
