/// The page's files. They are part of the program: nothing is read from disk and nothing is fetched from elsewhere.
enum Page {
    /// - Parameter token: what the page sends with each change; hexadecimal digits.
    static func html(token: String) -> String {
        document.replacing("@TOKEN@", with: token)
    }

    static let icon = #"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2b1d16"/>
        <path d="M16 4c1 5 7 7 7 14a7 7 0 0 1-14 0c0-4 3-5 3-9 2 1 3 3 3 5 1-3 2-6 1-10z" fill="#ff8a3d"/>
        <path d="M16 17c1 2 3 3 3 5a3 3 0 0 1-6 0c0-2 2-3 3-5z" fill="#ffd9a0"/></svg>
        """#
}
