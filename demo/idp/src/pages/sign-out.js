// The person has asked to sign out already, so this presses the button for them.
document.querySelector('button').click()
