import marimo

app = marimo.App()


@app.cell
def _():
    print('a notebook')


if __name__ == '__main__':
    app.run()
