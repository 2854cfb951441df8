// Dropping and pasting a license file. Everything on the page works without it.
"use strict";

const form = document.querySelector("form[data-drop]");
if (form) {
  const picker = form.querySelector("input[type=file]");
  const text = form.querySelector("textarea");
  const says = form.querySelector(".says");
  const limit = Number(form.dataset.drop);
  says.textContent = says.dataset.hint;

  const carriesFiles = (event) => Array.from(event.dataTransfer?.types ?? []).includes("Files");

  const say = (words, wrong) => {
    says.textContent = words;
    says.classList.toggle("wrong", wrong);
  };

  // Told here, before a slow link has carried it; the device looks at the size itself in any case.
  const look = () => {
    const [file] = picker.files;
    if (!file) {
      say(says.dataset.hint, false);
    } else if (file.size > limit) {
      picker.value = "";
      say(says.dataset.tooLarge, true);
    } else {
      say(`${says.dataset.ready} ${file.name}`, false);
    }
  };
  picker.addEventListener("change", look);

  // Elsewhere on the page a dropped file would replace the page.
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) {
      event.preventDefault();
      form.classList.add("over");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) {
      form.classList.remove("over");
    }
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) {
      return;
    }
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length === 1) {
      picker.files = event.dataTransfer.files;
      text.value = "";
      look();
    } else {
      say(says.dataset.several, true);
    }
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("button").focus();
  });

  // Pasted anywhere but into a field: a file, or the text of one.
  document.addEventListener("paste", (event) => {
    if (event.target.closest("input, textarea")) {
      return;
    }
    const [file] = event.clipboardData.files;
    const pasted = event.clipboardData.getData("text").trim();
    if (file) {
      picker.files = event.clipboardData.files;
      text.value = "";
      look();
    } else if (pasted.startsWith("{") && pasted.length <= limit) {
      picker.value = "";
      text.value = pasted;
      say(says.dataset.pasted, false);
    } else if (pasted.startsWith("{")) {
      say(says.dataset.tooLarge, true);
    } else {
      return;
    }
    event.preventDefault();
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("button").focus();
  });
}
