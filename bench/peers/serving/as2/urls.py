"""The addresses of django-pyas2, as its documentation has them."""

from django.urls import include, path

urlpatterns = [path("pyas2/", include("pyas2.urls"))]
