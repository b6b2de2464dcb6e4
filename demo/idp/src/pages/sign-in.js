// A name in the list becomes a button that fills in the form. Without this script one types.
const login = document.getElementById('login')
const password = document.getElementById('password')
const submit = document.querySelector('#sign-in button')

for (const name of document.querySelectorAll('[data-login]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = name.className
  button.textContent = name.textContent
  button.title = 'Fill in the form'
  button.addEventListener('click', () => {
    login.value = name.dataset.login
    password.value = name.dataset.password
    submit.focus()
  })
  name.replaceWith(button)
}
