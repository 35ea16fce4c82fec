def main(message):
    return None
