from tests.bench.http.shop.models.category import Category
from tests.bench.http.shop.models.product import Product

__all__ = ["Category", "Product"]
