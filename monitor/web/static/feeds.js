// Comfort only: a chosen file is put where its text would be pasted.

for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  const into = document.getElementById(input.dataset.into);
  input.closest("[hidden]")?.removeAttribute("hidden");
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file && into) into.value = await file.text();
  });
}
