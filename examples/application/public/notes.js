// The front end: what is there, what comes, and a form for more.
const list = document.querySelector('ul')
const form = document.querySelector('form')

function show(note) {
  const item = document.createElement('li')
  item.textContent = note.text
  list.append(item)
}

const notes = await (await fetch('/api/notes')).json()
notes.forEach(show)
new EventSource('/api/events').onmessage = ({ data }) => show(JSON.parse(data))
form.addEventListener('submit', (event) => {
  event.preventDefault()
  fetch('/api/notes', { method: 'POST', body: new FormData(form).get('text') })
  form.reset()
})
