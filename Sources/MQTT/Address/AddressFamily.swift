/// Which kind of address a name is resolved to.
///
/// The library tries the resolver's first address only, since an asynchronous connect cannot fail at once. Where IPv6
/// is announced and does not work, no attempt would ever get through; binding to the "any" address of one family
/// makes the library skip the other one (net__try_connect_tcp).
enum AddressFamily {
    case ipv4, ipv6

    var anyAddress: String { self == .ipv4 ? "0.0.0.0" : "::" }
}
